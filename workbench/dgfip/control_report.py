"""stub"""
def controls(base, import_id=None): return None
