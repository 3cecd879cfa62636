def run(cluster): pass
